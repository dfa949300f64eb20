@sequence_unchanged@
    AND @columns_unchanged@
