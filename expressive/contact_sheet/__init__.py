"""Contact sheets: many pictures on one page, with captions or along an α axis."""

from .sheet import SheetStyle, contact_sheet

__all__ = ["SheetStyle", "contact_sheet"]
