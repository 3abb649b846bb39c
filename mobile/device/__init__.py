"""What the app asks of the phone it runs on: ports, the desktop's adapters, scripted fakes."""
