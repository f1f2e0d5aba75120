"""What the versions of AsyncAPI have in common: messages, channels' parameters, traits, servers."""
