-- AlterTable
ALTER TABLE "google_spaces" ADD COLUMN     "cut_in_at" TIMESTAMPTZ(3);
