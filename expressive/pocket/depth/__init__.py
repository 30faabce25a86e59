"""The pocket Marigold: PocketXL's UNet taught to paint depth, on the drawn world's true depth."""
