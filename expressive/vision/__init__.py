"""What is seen in pictures: faces, cut out and put back; landmarks; depth."""
