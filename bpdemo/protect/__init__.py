"""What a learner takes home: admission control for any ASGI application.

    from bpdemo.protect import AdmissionControl

    app.add_middleware(
        AdmissionControl, concurrency=8, queue_capacity=8,
        paths={"/healthz": None, "/readyz": None, "/metrics": None},
    )

Uses `flow` and `core`, and no framework. Begin with `admission.py`, then `guarded.py` and
`bulkhead.py`.
"""

from bpdemo.protect.admission import AdmissionControl as AdmissionControl
from bpdemo.protect.books import AdmissionBooks as AdmissionBooks
from bpdemo.protect.deadlines import deadline_of as deadline_of
from bpdemo.protect.events import AdmissionEvent as AdmissionEvent
from bpdemo.protect.events import AdmissionObserver as AdmissionObserver
from bpdemo.protect.events import Admitted as Admitted
from bpdemo.protect.events import Left as Left
from bpdemo.protect.events import Rejected as Rejected
from bpdemo.protect.events import SlotFreed as SlotFreed
from bpdemo.protect.events import Waiting as Waiting
from bpdemo.protect.rule import Rule as Rule
