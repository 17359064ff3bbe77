"""The ways to explain a score, by name; importing them costs nothing."""

from collections.abc import Mapping

# name -> what a person is told about it; the first is what is used unasked
METHODS: Mapping[str, str] = {
    "odam": "what each place of the feature map gave to this score",
    "grad-cam": "the classic: says which channels speak for the class, but lights up other objects too",
    "guided": "detail, not evidence: edges that show whatever the network has learnt",
    "guided-grad-cam": "detail, not evidence: those edges where the classic map is warm",
    "d-rise": "what is missed when random parts of the picture are hidden; slow, needs no gradients",
}
