"""Random sequences, and an oracle that judges them without the package: python -m tests.support.properties 5000"""
