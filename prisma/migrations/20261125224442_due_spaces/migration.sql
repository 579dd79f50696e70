-- AlterTable
ALTER TABLE "google_spaces" ADD COLUMN     "due_at" TIMESTAMPTZ(3),
ADD COLUMN     "is_waiting" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "marks" INTEGER NOT NULL DEFAULT 0;

-- CreateIndex
CREATE INDEX "google_spaces_waiting" ON "google_spaces"("space_id") WHERE (is_waiting);

-- Its rows change with every message: room for the next version on the same page keeps the table small.
ALTER TABLE "google_spaces" SET (fillfactor = 40);
