-- {text}, with one character for all bytes that are not ASCII where they are not UTF-8 (RFC 3629, section 4).
CASE
    WHEN {text} OPERATOR(pg_catalog.~) $re$^([\x01-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{{2}}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{{2}}|[\xf1-\xf3][\x80-\xbf]{{3}}|\xf4[\x80-\x8f][\x80-\xbf]{{2}})*$$re$
        THEN {text}
    ELSE pg_catalog.regexp_replace(
        {text}, $re$[\x80-\xff]+$re$, pg_catalog.chr(239) OPERATOR(pg_catalog.||) pg_catalog.chr(191) OPERATOR(pg_catalog.||) pg_catalog.chr(189), 'g'
    )
END
