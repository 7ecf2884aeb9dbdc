"""The paper's tables and figures, made anew in one folder by stages that can be cut off."""
