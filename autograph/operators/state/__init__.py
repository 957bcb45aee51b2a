"""What staged code may change, and what is changed where: places, the regions that are traced, objects born in them."""
