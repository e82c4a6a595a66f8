"""The projector's configuration, as text of protocol buffers or as JSON."""

import pytest

from datasets.pictures.projector.config import BadConfig, Embedding, embeddings

ONE = Embedding(tensors="a/t.tsv", shape=(3, 4), metadata="m.tsv", sprite="s.png", cell=(10, 20))


@pytest.mark.parametrize(
    "text",
    [
        """
        # of TensorBoard
        model_checkpoint_path: "model.ckpt"
        embeddings {
          tensor_name: "x { tensor_path: \\"no\\" }"
          tensor_path: "a/t.tsv"
          tensor_shape: 3  tensor_shape: 4
          metadata_path: 'm.tsv'
          sprite { image_path: "s.png" single_image_dim: 10; single_image_dim: 20 }
        }
        """,
        'embeddings: < tensor_path: "a/t.tsv", tensor_shape: [3, 4] metadata_path:"\\155.tsv"'
        'sprite < image_path: "s.png" single_image_dim: [10,20] > >',
        '{"embeddings": [{"tensorName": "x", "tensorPath": "a/t.tsv", "tensorShape": [3, 4], "metadataPath": "m.tsv",'
        '"sprite": {"imagePath": "s.png", "singleImageDim": [10, 20]}, "bookmarksPath": null}]}',
        '{"embeddings": [{"tensor_path": "a/t.tsv", "tensor_shape": [3, 4], "metadata_path": "m.tsv",'
        '"sprite": {"image_path": "s.png", "single_image_dim": [10, 20]}}]}',
    ],
)
def test_every_way_of_writing_says_the_same(text: str) -> None:
    assert embeddings(text) == [ONE]


def test_letters_beyond_ascii_are_read_as_they_are_or_as_octal_bytes() -> None:
    for text in ("łąka.tsv", r"\305\202\304\205ka.tsv"):
        (found,) = embeddings(f'embeddings {{ tensor_path: "{text}" }}')
        assert found.tensors == "łąka.tsv"


def test_embeddings_without_vectors_are_passed_over() -> None:
    found = embeddings('embeddings { tensor_name: "of a checkpoint" } embeddings { tensor_path: "t.tsv" }')
    assert [each.tensors for each in found] == ["t.tsv"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no embeddings"),
        ("embeddings", "ends in the middle"),
        ("embeddings { tensor_path: 't' ", "ends in the middle"),
        ("}", "closes more braces"),
        ("embeddings { tensor_path: }", "} stands where a value should"),
        ("embeddings { 'tensor_path' }", "where a field's name should"),
        ("embeddings { tensor_path: 't' tensor_shape: many }", "tensor_shape is not made of whole numbers"),
        ("embeddings { tensor_path: 't' sprite { single_image_dim: -1 } }", "single_image_dim is not made of numbers"),
        ("embeddings { tensor_path: '\\x' }", "is no text"),
        ("embeddings {" * 1000, "nested too deeply"),
        (" " * 200_000 + "!", "cannot be read at !"),
        ("#" * 200_000 + "\n!", "cannot be read at !"),
        ('{"embeddings": [}', "is no JSON"),
        ('{"embeddings": ' + "[" * 100_000, "is no JSON"),
        ('{"embeddings": [{"tensorPath": "t", "tensorShape": [1e999]}]}', "not made of whole numbers"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, says: str) -> None:
    with pytest.raises(BadConfig, match=says):
        embeddings(text)
