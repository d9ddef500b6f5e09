from tests.store.conftest import plain, rich, rich_database, rich_tables

__all__ = ["plain", "rich", "rich_database", "rich_tables"]
