"""SheetKeys: what the keys do that decide the request on a sheet, on the card and among the requests."""

from __future__ import annotations

from runebook_tui.core.aftermath import Means
from runebook_tui.core.grants import Scope
from runebook_tui.tui.widgets.sheet import RequestSheet


class SheetKeys:
    """The actions of `commands.CARD`. A screen says by `deciding` whether its sheet may decide now."""

    def deciding(self) -> RequestSheet | None:
        """The sheet whose request a key pressed now decides; None, where it has been said why, for none."""
        raise NotImplementedError

    def action_approve(self, scope: str = "once") -> None:
        """Approve what the sheet shows."""
        if sheet := self.deciding():
            sheet.approve(Scope(scope))

    def action_reject(self) -> None:
        """Ask for a reason, and reject."""
        if sheet := self.deciding():
            sheet.reject()

    def action_undo(self) -> None:
        """Reject, and take back what was written."""
        if sheet := self.deciding():
            sheet.undo()

    def action_change_plan(self, means: Means) -> None:
        """See the patch of the plan that allows it for good."""
        if sheet := self.deciding():
            sheet.change_plan(means)

    def action_hand_over(self) -> None:
        """Reject, and give the owner the change as a task."""
        if sheet := self.deciding():
            sheet.hand_over()

    def action_disown(self) -> None:
        """Say that the change was the operator's own."""
        if sheet := self.deciding():
            sheet.disown()
