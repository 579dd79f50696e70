-- DropIndex
DROP INDEX "deliveries_held_until";

-- CreateIndex
CREATE INDEX "deliveries_held_until" ON "deliveries"("held_until", "id") WHERE (state = 'held'::text AND held_for IS NOT NULL);
