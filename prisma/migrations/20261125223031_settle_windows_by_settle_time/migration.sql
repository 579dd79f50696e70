-- AlterTable
ALTER TABLE "records" DROP COLUMN "window_before",
DROP COLUMN "window_opened_at",
ADD COLUMN     "told" JSONB,
ADD COLUMN     "windows" JSONB;
