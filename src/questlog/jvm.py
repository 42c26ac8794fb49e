"""Options of Java that a short start needs; the local servers and Spark's driver have them."""

# The optimizing compiler waits for code that is really hot: a start then takes a third less of the processors' time.
_LATE = (
    "InvocationThreshold=50000",
    "MinInvocationThreshold=20000",
    "CompileThreshold=100000",
    "BackEdgeThreshold=400000",
)
SHORT_START = ("-XX:+UseSerialGC", *(f"-XX:Tier4{threshold}" for threshold in _LATE))
