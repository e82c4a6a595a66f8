"""What travels over the wire: how answers are made, tagged, compressed, kept and sent, and how refusals look."""
