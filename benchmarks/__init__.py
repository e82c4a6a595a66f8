"""What is measured, and against what: `make bench`.

Each module measures one thing both ways, ours and the plain way, on the same inputs in the same run, and prints its
rows as JSON lines; `run` collects them into one table. The plain way is what a competent person writes in an hour with
the usual libraries (`plain`).
"""
