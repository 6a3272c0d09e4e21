"""How well a prediction agrees with the reference: bones by overlap and surface, erosion by class."""
