"""The provider's tests on every Airflow that is supported, each in an environment of its own."""
