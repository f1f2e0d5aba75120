"""From one version of the template to another, without losing a line that a person wrote."""
