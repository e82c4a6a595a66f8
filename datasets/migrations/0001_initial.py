"""The tables up to the one kind of folder. A database that six migrations made, the first of them of this name, is the same."""

import datasets.models
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='BusyFlag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('holder', models.CharField(blank=True, editable=False, max_length=64)),
                ('taken_at', models.DateTimeField(editable=False, null=True)),
                ('expires_at', models.DateTimeField(editable=False)),
            ],
            options={
                'verbose_name': 'busy flag',
                'verbose_name_plural': 'busy flag',
            },
        ),
        migrations.CreateModel(
            name='WorkerState',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(editable=False, max_length=32)),
                ('beat_at', models.DateTimeField(editable=False)),
                ('ready', models.BooleanField(default=False, editable=False)),
                ('engine', models.CharField(blank=True, editable=False, max_length=200)),
            ],
            options={
                'verbose_name': 'worker',
            },
        ),
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hash', models.CharField(editable=False, max_length=32, unique=True, verbose_name='id')),
                ('name', models.CharField(editable=False, max_length=255, verbose_name="archive's name")),
                ('archive_size', models.PositiveBigIntegerField(default=0, editable=False, verbose_name="archive's size")),
                ('status', models.CharField(choices=[('queued', 'queued'), ('processing', 'processing'), ('ready', 'ready'), ('failed', 'failed')], db_index=True, default='queued', editable=False, max_length=10)),
                ('stage', models.CharField(blank=True, editable=False, max_length=20)),
                ('progress', models.FloatField(default=0, editable=False, help_text='0 … 1, of the whole way')),
                ('error', models.TextField(blank=True, editable=False)),
                ('error_status', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('awaited', models.BooleanField(default=False, editable=False)),
                ('count', models.PositiveIntegerField(default=0, editable=False, verbose_name='pictures')),
                ('names', models.JSONField(default=list, editable=False)),
                ('skipped', models.JSONField(default=list, editable=False)),
                ('passed_over', models.PositiveIntegerField(default=0, editable=False, help_text='files that are no pictures')),
                ('backbone', models.CharField(blank=True, editable=False, max_length=40)),
                ('engine', models.CharField(blank=True, editable=False, max_length=200)),
                ('space', models.CharField(blank=True, editable=False, help_text='catalogue, or own', max_length=10)),
                ('timings', models.JSONField(default=dict, editable=False)),
                ('archive', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('tilemap', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('features', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('pca', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('umap', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='uploaded')),
                ('started_at', models.DateTimeField(editable=False, null=True)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('worker', models.CharField(blank=True, editable=False, max_length=32)),
                ('beat_at', models.DateTimeField(editable=False, null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('expected', models.PositiveIntegerField(default=0, editable=False, verbose_name='pictures expected')),
                ('explained_variance', models.JSONField(default=list, editable=False)),
                ('precision', models.CharField(blank=True, editable=False, help_text='fp32, bf16 or int8', max_length=10)),
                ('seed', models.PositiveBigIntegerField(editable=False, null=True)),
                ('versions', models.JSONField(default=dict, editable=False)),
                ('metadata', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('network', models.CharField(blank=True, editable=False, max_length=200)),
                ('pictures', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('report', models.FileField(blank=True, editable=False, upload_to=datasets.models.file_path)),
                ('error_code', models.CharField(blank=True, editable=False, max_length=40)),
                ('error_params', models.JSONField(default=dict, editable=False)),
                ('intake', models.JSONField(default=dict, editable=False)),
            ],
            options={
                'ordering': ('-created_at',),
                'indexes': [models.Index(fields=['-created_at', 'hash'], name='dataset_newest_first')],
            },
        ),
    ]
