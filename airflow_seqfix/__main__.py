"""`python -m airflow_seqfix` is the command."""

import sys

from airflow_seqfix.cli import main

sys.exit(main())
