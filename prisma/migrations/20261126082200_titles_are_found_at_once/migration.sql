-- AlterTable
ALTER TABLE "records" ADD COLUMN     "search_title" TEXT GENERATED ALWAYS AS (lower(left(state ->> 'title', 255))) STORED;

-- CreateIndex
CREATE INDEX "records_titles" ON "records"("tenant_id", "entity", "entity_id", "search_title") WHERE (entity = ANY (ARRAY['deal'::text, 'lead'::text]));
