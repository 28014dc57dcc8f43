"""Where HTTP meets the plugin."""
