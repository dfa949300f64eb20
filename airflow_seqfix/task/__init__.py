"""What the operators and the sensor have in common. Everything here knows Airflow."""
