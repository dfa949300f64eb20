"""Recipes and tools that reset sequences, beside this package: python -m tests.support.behaviours"""
