-- DropIndex
DROP INDEX "deliveries_untold_folds";

-- CreateIndex
CREATE INDEX "deliveries_untold_folds" ON "deliveries"("finished_at") WHERE (fold_kind IS NOT NULL AND (state = ANY (ARRAY['failed'::text, 'dropped'::text])));
