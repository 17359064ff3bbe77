"""Why a box is there: what of the picture spoke for it, and which anchors stand behind it."""
