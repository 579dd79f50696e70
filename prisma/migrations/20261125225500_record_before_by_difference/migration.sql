-- Messages on their way keep what has to be undone in their record, instead of a second record. Those that are finished are not asked again.
UPDATE "deliveries" SET "record_before" = jsonb_build_object(
    'old', "record_before",
    'added', coalesce((SELECT jsonb_agg(field) FROM jsonb_object_keys("record") AS field WHERE NOT "record_before" ? field), '[]'::jsonb))
  WHERE "record_before" IS NOT NULL AND "state" IN ('queued', 'sending', 'held');
