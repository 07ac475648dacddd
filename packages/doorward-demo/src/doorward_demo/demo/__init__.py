"""The demo: a web app and an API as any developer would write them around Doorward, and a driver for the whole flow.

The app and the API import this package, so it imports nothing: the driver starts in `drive/run`.
"""
