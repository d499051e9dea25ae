"""The main job from nothing to a trained model, on a real cluster, for a newcomer to watch."""
