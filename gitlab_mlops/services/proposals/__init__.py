"""What a merge request brings, seen through the candidates of its commits."""
