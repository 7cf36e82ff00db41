"""State that processes share, as typed functions over one SQL database (SQLAlchemy Core).

In:  an Engine from `db.open_workflow(settings)`, and one transaction by `db.begin(engine)`.
Out: modules by owner: `runs` (ledger), `leases`, `batches`, `crawl`, `incidents` (with `moves`, `incident_log`), `outbox`,
`accounts`, `sessions`, `trail` (audit). Each module declares its tables on `db.METADATA`; nothing above knows SQLAlchemy.
"""
