"""Tables of the OMOP Common Data Model 5.4 that are about persons, known by their names.

From the published model (ohdsi.github.io/CommonDataModel, cdm54): every such
table has ``person_id``; a ``_source_value`` is what the source system wrote, often an
identifier.  The concepts below are standard ones of the published vocabularies.
"""

from __future__ import annotations

from collections.abc import Iterable

from privlab.connector.dictionaries.stated import Said, Sheet, Stated
from privlab.terms.catalog import Kind

MODEL = "OMOP CDM 5.4"
UNIT, UNIT_WORD = "person_id", "person"

TABLES: dict[str, str] = {
    "person": "gender_concept_id year_of_birth month_of_birth day_of_birth birth_datetime race_concept_id "
    "ethnicity_concept_id location_id provider_id care_site_id person_source_value gender_source_value "
    "gender_source_concept_id race_source_value race_source_concept_id ethnicity_source_value "
    "ethnicity_source_concept_id",
    "observation_period": "observation_period_id observation_period_start_date observation_period_end_date "
    "period_type_concept_id",
    "visit_occurrence": "visit_occurrence_id visit_concept_id visit_start_date visit_start_datetime "
    "visit_end_date visit_end_datetime visit_type_concept_id provider_id care_site_id visit_source_value "
    "visit_source_concept_id admitted_from_concept_id admitted_from_source_value discharged_to_concept_id "
    "discharged_to_source_value preceding_visit_occurrence_id",
    "visit_detail": "visit_detail_id visit_detail_concept_id visit_detail_start_date "
    "visit_detail_start_datetime visit_detail_end_date visit_detail_end_datetime visit_detail_type_concept_id "
    "provider_id care_site_id visit_detail_source_value visit_detail_source_concept_id "
    "admitted_from_concept_id admitted_from_source_value discharged_to_concept_id discharged_to_source_value "
    "preceding_visit_detail_id parent_visit_detail_id visit_occurrence_id",
    "condition_occurrence": "condition_occurrence_id condition_concept_id condition_start_date "
    "condition_start_datetime condition_end_date condition_end_datetime condition_type_concept_id "
    "condition_status_concept_id stop_reason provider_id visit_occurrence_id visit_detail_id "
    "condition_source_value condition_source_concept_id condition_status_source_value",
    "drug_exposure": "drug_exposure_id drug_concept_id drug_exposure_start_date drug_exposure_start_datetime "
    "drug_exposure_end_date drug_exposure_end_datetime verbatim_end_date drug_type_concept_id stop_reason "
    "refills quantity days_supply sig route_concept_id lot_number provider_id visit_occurrence_id "
    "visit_detail_id drug_source_value drug_source_concept_id route_source_value dose_unit_source_value",
    "procedure_occurrence": "procedure_occurrence_id procedure_concept_id procedure_date procedure_datetime "
    "procedure_end_date procedure_end_datetime procedure_type_concept_id modifier_concept_id quantity "
    "provider_id visit_occurrence_id visit_detail_id procedure_source_value procedure_source_concept_id "
    "modifier_source_value",
    "device_exposure": "device_exposure_id device_concept_id device_exposure_start_date "
    "device_exposure_start_datetime device_exposure_end_date device_exposure_end_datetime "
    "device_type_concept_id unique_device_id production_id quantity provider_id visit_occurrence_id "
    "visit_detail_id device_source_value device_source_concept_id unit_concept_id unit_source_value "
    "unit_source_concept_id",
    "measurement": "measurement_id measurement_concept_id measurement_date measurement_datetime "
    "measurement_time measurement_type_concept_id operator_concept_id value_as_number value_as_concept_id "
    "unit_concept_id range_low range_high provider_id visit_occurrence_id visit_detail_id "
    "measurement_source_value measurement_source_concept_id unit_source_value unit_source_concept_id "
    "value_source_value measurement_event_id meas_event_field_concept_id",
    "observation": "observation_id observation_concept_id observation_date observation_datetime "
    "observation_type_concept_id value_as_number value_as_string value_as_concept_id qualifier_concept_id "
    "unit_concept_id provider_id visit_occurrence_id visit_detail_id observation_source_value "
    "observation_source_concept_id unit_source_value qualifier_source_value value_source_value "
    "observation_event_id obs_event_field_concept_id",
    "death": "death_date death_datetime death_type_concept_id cause_concept_id cause_source_value "
    "cause_source_concept_id",
    "note": "note_id note_date note_datetime note_type_concept_id note_class_concept_id note_title note_text "
    "encoding_concept_id language_concept_id provider_id visit_occurrence_id visit_detail_id "
    "note_source_value note_event_id note_event_field_concept_id",
    "specimen": "specimen_id specimen_concept_id specimen_type_concept_id specimen_date specimen_datetime "
    "quantity unit_concept_id anatomic_site_concept_id disease_status_concept_id specimen_source_id "
    "specimen_source_value unit_source_value anatomic_site_source_value disease_status_source_value",
    "condition_era": "condition_era_id condition_concept_id condition_era_start_date condition_era_end_date "
    "condition_occurrence_count",
    "drug_era": "drug_era_id drug_concept_id drug_era_start_date drug_era_end_date drug_exposure_count gap_days",
    "dose_era": "dose_era_id drug_concept_id unit_concept_id dose_value dose_era_start_date dose_era_end_date",
    "episode": "episode_id episode_concept_id episode_start_date episode_start_datetime episode_end_date "
    "episode_end_datetime episode_parent_id episode_number episode_object_concept_id episode_type_concept_id "
    "episode_source_value episode_source_concept_id",
    "payer_plan_period": "payer_plan_period_id payer_plan_period_start_date payer_plan_period_end_date "
    "payer_concept_id payer_source_value payer_source_concept_id plan_concept_id plan_source_value "
    "plan_source_concept_id sponsor_concept_id sponsor_source_value sponsor_source_concept_id "
    "family_source_value stop_reason_concept_id stop_reason_source_value stop_reason_source_concept_id",
}  # fmt: skip
"""Each table's columns beside ``person_id``."""

_KEYS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gender_concept_id": ("no match, male, female", ("0", "8507", "8532")),
    "race_concept_id": (
        "no match, Asian, Black, White, Pacific Islander, American Indian",
        ("0", "8515", "8516", "8527", "8557", "8657"),
    ),
    "ethnicity_concept_id": ("no match, Hispanic, not Hispanic", ("0", "38003563", "38003564")),
    "visit_concept_id": (
        "no match, emergency and inpatient, inpatient, outpatient, emergency, long-term care",
        ("0", "262", "9201", "9202", "9203", "42898160"),
    ),
}
_RANGES = {"month_of_birth": ("1", "12"), "day_of_birth": ("1", "31")}
_WITHHELD = {
    "note_text": "a free text",
    "note_title": "a free text",
    "value_as_string": "a free text",
    "sig": "a free text",
    "stop_reason": "a free text",
    "birth_datetime": "a date of birth",
    "day_of_birth": "a date of birth",
    "location_id": "where a person lives",
    "unique_device_id": "a device's number",
    "production_id": "a device's number",
    "lot_number": "a device's number",
    "specimen_source_id": "an id of the source system",
}

LEAST_KNOWN = 0.8
"""Share of a file's columns that the model must know for the file to be of it."""


def recognised(table: str, columns: Iterable[str]) -> Sheet | None:
    """The model's account of a file of this name and these columns, if it is one of its tables."""
    known = {UNIT, *TABLES.get(table.lower(), "").split()}
    named = {name: name.lower() for name in columns}
    found = [name for name, lower in named.items() if lower in known]
    unit = next((name for name in found if named[name] == UNIT), None)
    if table.lower() not in TABLES or unit is None or len(found) < LEAST_KNOWN * len(named):
        return None
    return Sheet(
        {name: _stated(named[name]) for name in found},
        unit=Said(unit, MODEL),
        unit_word=UNIT_WORD,
        notes=(f"By its names this is {table.lower()} of the {MODEL}.",),
    )


def _stated(name: str) -> Stated:
    withheld = _WITHHELD.get(name)
    if name.endswith("_source_value"):
        withheld = "what the source system wrote"
    words, keys = _KEYS.get(name, ("", ()))
    low, high = _RANGES.get(name, ("", ""))
    return Stated(
        kind=_kind(name),
        keys=Said(keys, f"{words}: standard concepts of {MODEL}") if keys else None,
        low=Said(low, MODEL) if low else None,
        high=Said(high, MODEL) if high else None,
        withheld=Said(withheld, MODEL) if withheld else None,
    )


def _kind(name: str) -> Said[Kind] | None:
    for ending, kind in (
        ("_id", Kind.INT),
        ("_of_birth", Kind.INT),
        ("_datetime", Kind.DATETIME),
        ("_date", Kind.DATE),
        ("_source_value", Kind.TEXT),
        ("value_as_number", Kind.FLOAT),
    ):
        if name.endswith(ending) and name not in _TEXT_IDS:
            return Said(kind, MODEL)
    return None


_TEXT_IDS = ("unique_device_id", "production_id", "specimen_source_id")
