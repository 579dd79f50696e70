-- AlterTable
ALTER TABLE "notices" ADD COLUMN     "about_ids" INTEGER[] DEFAULT ARRAY[]::INTEGER[];
