"""The facts that a run works on, as frozen data: what was discovered, measured, judged and done."""

from airflow_seqfix.core.model.column import DRAWN_AS_IS, ColumnInfo, Extract, Feed, Optimizer, TooMuch
from airflow_seqfix.core.model.finding import Finding, Move, Outcome, Outliers, SequenceWarning, Verdict, Way
from airflow_seqfix.core.model.grant import Grant, together
from airflow_seqfix.core.model.measurement import Look, Measurement, Obstacle, Probe, SourcePosition
from airflow_seqfix.core.model.sequence import SequenceInfo, Tie
from airflow_seqfix.core.model.server import Server, acting, address
from airflow_seqfix.core.model.source import Source, SourceSequence
from airflow_seqfix.core.model.table import TableInfo
from airflow_seqfix.core.model.use import Break, Position, Use

__all__ = [
    "DRAWN_AS_IS",
    "Break",
    "ColumnInfo",
    "Extract",
    "Feed",
    "Finding",
    "Grant",
    "Look",
    "Measurement",
    "Move",
    "Obstacle",
    "Optimizer",
    "Outcome",
    "Outliers",
    "Position",
    "Probe",
    "SequenceInfo",
    "SequenceWarning",
    "Server",
    "Source",
    "SourcePosition",
    "SourceSequence",
    "TableInfo",
    "Tie",
    "TooMuch",
    "Use",
    "Verdict",
    "Way",
    "acting",
    "address",
    "together",
]
