-- The audit trail only grows. Statement triggers refuse also what would meet no row, and TRUNCATE.
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
--> statement-breakpoint
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_log"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
--> statement-breakpoint
CREATE TRIGGER "audit_chains_stay" BEFORE DELETE OR TRUNCATE ON "audit_chains"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();
--> statement-breakpoint
-- The end of a chain moves on by one row at a time, and never back.
CREATE TRIGGER "audit_chains_forward" BEFORE UPDATE ON "audit_chains"
  FOR EACH ROW WHEN (NEW."id" <> OLD."id" OR NEW."seq" <> OLD."seq" + 1)
  EXECUTE FUNCTION "refuse_audit_change"();
