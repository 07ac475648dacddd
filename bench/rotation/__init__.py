"""Simulation of refresh token rotation: thieves and owners under a virtual clock, judged by the real rule functions."""
