"""What the plugin announces (`signals`) and what it hears from the forge (`receivers`)."""
