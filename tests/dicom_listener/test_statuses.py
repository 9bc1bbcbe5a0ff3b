from pynetdicom.service_class import StorageServiceClass
from pynetdicom.sop_class import uid_to_service_class
from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS

from dicom_listener.archive.records import Outcome
from dicom_listener.archive.syntaxes import EXPLICIT_LITTLE_ENDIAN
from dicom_listener.network.contexts import SERVICE_CLASSES, VERIFICATION, storage_uids, supported_contexts
from dicom_listener.network.statuses import ASSOCIATION_REJECTION, C_STORE_STATUS
from dicom_listener.settings import FurtherModality


def test_every_outcome_has_an_answer() -> None:
    assert set(C_STORE_STATUS) | set(ASSOCIATION_REJECTION) == set(Outcome)


def test_every_status_is_one_that_the_standard_allows_for_c_store() -> None:
    assert set(C_STORE_STATUS.values()) <= set(STORAGE_SERVICE_CLASS_STATUS)


def test_success_is_said_only_of_what_is_kept() -> None:
    success = {outcome for outcome, status in C_STORE_STATUS.items() if status == 0x0000}
    assert success == {Outcome.STORED, Outcome.ALREADY_STORED, Outcome.CONFLICT_KEPT, Outcome.HELD}


def test_every_context_is_a_storage_class_that_prefers_explicit_little_endian() -> None:
    contexts = supported_contexts(frozenset(FurtherModality))
    others = {VERIFICATION, *SERVICE_CLASSES}
    storage = [context for context in contexts if context.abstract_syntax not in others]
    assert {uid_to_service_class(str(context.abstract_syntax)) for context in storage} == {
        StorageServiceClass
    }
    assert {context.transfer_syntax[0] for context in storage} == {EXPLICIT_LITTLE_ENDIAN}


def test_computed_tomography_is_received_only_where_asked_for() -> None:
    ct_image = "1.2.840.10008.5.1.4.1.1.2"
    assert ct_image not in set(storage_uids(frozenset()))
    assert ct_image in set(storage_uids({FurtherModality.CT}))
