"""`make screenshots`: a forge with a few hundred real candidates, and pictures of its pages."""
