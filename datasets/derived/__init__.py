"""What is computed of a collection in the background, once, beside what an upload or a build computes."""
