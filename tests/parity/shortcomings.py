"""What the official command line gets wrong, what ours does instead, and the test that holds it.

The rows are the shortcomings that were seen in the official tool's source, tests, documents, issues and runs
(0.18.2), as far as the commands are in scope here. A row without a test says why nothing was done.
docs/upstream-shortcomings.md is generated from this table: `python docs/generate_upstream_shortcomings.py`.
"""

from typing import NamedTuple


class Shortcoming(NamedTuple):
    """One of them. `tests` are `file::function` below tests/; none: `ours` begins with why not."""

    command: str
    upstream: str
    ours: str
    tests: tuple[str, ...] = ()


_APP = "unit/cli/test_app.py::"
_CODES = "e2e/test_exit_codes.py::"
_COUNTS = "e2e/test_produce_counts.py::"
_CLUSTER = "e2e/test_cluster_commands.py::"
_LIFE = "integration/test_lifecycle.py::"
_OWN = "e2e/test_upstream_shortcomings.py::"
_PROFILES = "unit/cli/test_profile_commands.py::"
_RECORDS = "e2e/test_produce_consume.py::"
_SELECT = "e2e/test_consume_selection.py::"
_SIGNS = "e2e/test_signs_of_life.py::"

SHORTCOMINGS = (
    # --- all commands -------------------------------------------------------------------------------------
    Shortcoming(
        "all",
        "an error is its outermost message; what led to it is lost",
        "`--verbose` tells what led to it",
        (f"{_CODES}test_verbose_tells_what_led_to_an_error",),
    ),
    Shortcoming(
        "all",
        "no hint what to do; a refused connection does not name the profile",
        "on a terminal a next step follows, with the profile and its address; `fluvio explain` says more",
        (
            f"{_CODES}test_on_a_terminal_an_error_ends_with_its_next_step",
            f"{_CODES}test_what_an_error_names_can_be_explained",
        ),
    ),
    Shortcoming(
        "all",
        "`Cluster not found for profile` does not say which",
        "it does",
        (f"{_OWN}test_an_unknown_profile_is_named",),
    ),
    Shortcoming(
        "all",
        "output to a closed pipe is a panic, exit 101",
        "the command ends quietly, exit 0",
        (
            f"{_RECORDS}test_a_reader_that_has_enough_ends_consume_quietly",
            "e2e/test_profile_commands.py::test_output_to_a_closed_pipe_ends_quietly",
        ),
    ),
    Shortcoming(
        "all",
        "output to a full disk is a panic, exit 101",
        "an error, exit 1",
        (f"{_CODES}test_a_full_disk_behind_standard_output_is_an_error_and_no_traceback",),
    ),
    Shortcoming(
        "all",
        "logs in files have colour codes",
        "they have none",
        (f"{_OWN}test_logs_in_files_have_no_colours",),
    ),
    Shortcoming(
        "all",
        "a typing error in a command, an option or a value gets no suggestion",
        "it gets one on a terminal, and so does an option that stands in the wrong place",
        (
            f"{_APP}test_a_typo_in_any_command_or_option_is_put_right_on_a_terminal",
            f"{_APP}test_what_stands_in_the_wrong_place_or_is_a_wrong_value_gets_a_tip",
        ),
    ),
    Shortcoming(
        "all",
        "much that waits shows nothing on a terminal: connecting, creating, producing",
        "what takes longer than half a second shows what it waits for; nothing is drawn in pipes and on dumb "
        "terminals",
        (
            f"{_SIGNS}test_what_waits_for_a_cluster_shows_so_on_a_terminal",
            f"{_SIGNS}test_nothing_is_drawn_in_pipes",
            f"{_SIGNS}test_nothing_is_drawn_on_a_dumb_terminal",
        ),
    ),
    Shortcoming(
        "all lists",
        "`-O json` and `-O yaml` of nothing print a sentence",
        "they print `[]`",
        (f"{_OWN}test_lists_of_nothing_can_be_read_by_programs",),
    ),
    Shortcoming(
        "all lists",
        "`-O toml` of a list is `Fluvio client error`",
        "still an error, since TOML has no lists at its top; it says so",
        (f"{_OWN}test_a_list_as_toml_is_refused_with_the_reason",),
    ),
    Shortcoming(
        "all lists",
        "keys in camelCase, snake_case, kebab-case and with spaces",
        "not done, because scripts that were written for the official tool read these keys",
    ),
    Shortcoming(
        "all lists",
        "rows come in another order each time",
        "lists are sorted by name",
        (f"{_OWN}test_lists_are_sorted",),
    ),
    # --- cluster ------------------------------------------------------------------------------------------
    Shortcoming(
        "all `cluster`",
        "progress vanishes without a terminal",
        "scripts see the official output; `--verbose` shows every step, as `CI` does",
        (
            f"{_OWN}test_progress_can_be_seen_without_a_terminal",
            f"{_CLUSTER}test_with_ci_set_every_step_is_told",
        ),
    ),
    Shortcoming(
        "all `cluster`",
        "`-P` and `-c` are ignored: `-P nope cluster delete` deletes the current cluster",
        "commands act on the cluster that is named, or on none",
        (f"{_CLUSTER}test_commands_act_on_the_cluster_that_root_options_or_data_dir_name",),
    ),
    Shortcoming(
        "all `cluster`",
        "one local cluster per machine",
        "as many as there are directories and ports",
        (
            f"{_CLUSTER}test_commands_act_on_the_cluster_that_root_options_or_data_dir_name",
            f"{_LIFE}test_a_port_of_another_local_cluster_is_told_as_such",
        ),
    ),
    Shortcoming(
        "`cluster start`",
        "the profile of a local cluster is always called `local`",
        "not done, because programs look for that name; `profile rename` and `profile copy` give it another, "
        "and `--skip-profile-creation` leaves the file alone",
    ),
    Shortcoming(
        "`cluster start`",
        "ports of SPUs cannot be chosen, and SPUs find a controller at port 9004 only",
        "`--spu-port-base`, port 0 for free ones; SPUs are told where the controller is",
        (
            f"{_LIFE}test_the_state_tells_pid_start_time_boot_and_ports",
            f"{_CLUSTER}test_a_cluster_starts_serves_stops_resumes_and_is_deleted",
        ),
    ),
    Shortcoming(
        "`cluster start`",
        "a start that fails leaves processes",
        "it leaves none",
        (
            f"{_LIFE}test_an_spu_that_cannot_listen_ends_the_start_and_the_controller",
            f"{_LIFE}test_a_controller_that_ends_at_once_shows_its_output_and_leaves_nothing",
            f"{_LIFE}test_ctrl_c_during_a_start_leaves_nothing",
        ),
    ),
    Shortcoming(
        "`cluster start`",
        "the profile is switched before anything runs",
        "it is switched last",
        (f"{_OWN}test_a_failed_start_leaves_the_profile_that_was_chosen",),
    ),
    Shortcoming(
        "`cluster start`",
        "a profile file that does not parse is replaced by a new one",
        "nothing is started, and the file stays",
        (f"{_CLUSTER}test_a_broken_profile_file_stops_a_start_before_anything_runs",),
    ),
    Shortcoming(
        "`cluster delete`",
        "a directory of the user's choice stays",
        "what the servers wrote into it goes, whatever else is in it stays",
        (
            f"{_OWN}test_a_deletion_takes_the_directory_that_the_cluster_was_given",
            f"{_LIFE}test_delete_leaves_files_that_no_server_wrote",
        ),
    ),
    Shortcoming(
        "`cluster delete`",
        "the profile stays",
        "not done, because scripts find it again after the next start, which points it there; `doctor` names "
        "a profile that leads nowhere",
    ),
    Shortcoming(
        "`cluster delete`",
        "a script has to give `--force`",
        "not done, because a script that deletes data should say so; without a terminal nothing is asked or "
        "deleted",
    ),
    Shortcoming(
        "`cluster shutdown`",
        "SIGKILL to every process of that name, whatever cluster it belongs to",
        "SIGTERM to the recorded processes of one cluster, SIGKILL after 10 s",
        (
            f"{_LIFE}test_a_process_that_got_a_recorded_pid_is_left_alone",
            "integration/test_lifecycle_files.py::test_a_process_that_ignores_the_first_signal_gets_the_last",
        ),
    ),
    Shortcoming(
        "`cluster resume`",
        "a failure exits 0 and is invisible without a terminal",
        "exit 1, with the cause",
        (f"{_LIFE}test_a_resume_that_fails_says_so_and_keeps_the_data",),
    ),
    Shortcoming(
        "`cluster resume`",
        "stored offsets of consumers may be gone",
        "they are kept",
        (
            "e2e/test_restart_all.py::test_twenty_restarts_of_everything_lose_no_record_and_no_consumer_offset",
        ),
    ),
    Shortcoming(
        "`cluster upgrade`",
        "a failure exits 0",
        "exit 1, and the cluster runs on",
        (
            "e2e/test_cluster_upgrade.py::test_what_cannot_be_done_stops_nothing",
            "e2e/test_cluster_upgrade.py::"
            "test_metadata_that_cannot_be_read_are_named_and_the_cluster_runs_on",
        ),
    ),
    Shortcoming(
        "`cluster status`",
        "no `-O json`",
        "`-O json`, `yaml` and `toml`",
        (f"{_CLUSTER}test_status_is_quiet_but_for_its_headline_and_tells_json_when_asked",),
    ),
    Shortcoming(
        "`cluster status`",
        "exit 0 without any SPU online",
        "exit 6",
        (f"{_CLUSTER}test_status_of_a_cluster_without_spus_is_a_failure",),
    ),
    Shortcoming(
        "`cluster status`",
        "names the current profile when another was asked",
        "names the one that was asked",
        (f"{_OWN}test_the_status_names_the_profile_that_was_asked",),
    ),
    Shortcoming(
        "`cluster check`",
        "fails on a healthy running cluster",
        "says that it runs, exit 0",
        ("e2e/test_cluster_check.py::test_a_running_cluster_passes_and_is_said_to_run",),
    ),
    Shortcoming(
        "`cluster spu register`, `unregister`, `profile rename`, `table-format delete`",
        "silent on success",
        "on a terminal a line tells",
        (
            f"{_OWN}test_a_person_sees_that_an_spu_was_registered_and_unregistered",
            f"{_OWN}test_a_person_sees_that_a_profile_was_renamed",
            f"{_OWN}test_a_person_sees_that_a_table_format_was_deleted",
        ),
    ),
    Shortcoming(
        "`cluster spu list`",
        "the type stands in quotes",
        "not done, because scripts compare the table; `-O json` has the word itself",
    ),
    # --- profile ------------------------------------------------------------------------------------------
    Shortcoming(
        "`profile switch`, `rename`, `delete`",
        "an unknown name exits 0",
        "exit 3, and a similar name is suggested",
        (
            f"{_CODES}test_each_sort_of_failure_has_its_exit_code",
            f"{_PROFILES}test_an_unknown_name_is_an_error_that_suggests_a_similar_one",
        ),
    ),
    Shortcoming(
        "`profile list`",
        "`-O json` gives private keys away",
        "they are hidden; `--show-secrets` shows them",
        (f"{_PROFILES}test_private_keys_are_shown_only_on_demand",),
    ),
    Shortcoming(
        "`profile sync local`",
        "loses how the cluster was set up",
        "keeps it",
        (f"{_PROFILES}test_sync_local_points_the_local_profile_and_keeps_how_it_was_set_up",),
    ),
    Shortcoming(
        "`profile add`, `sync`",
        "a profile file that does not parse is replaced by a new one",
        "it is named with line and column, and never overwritten",
        (
            "unit/profiles/test_store.py::test_a_broken_file_is_never_overwritten",
            "e2e/test_profile_commands.py::test_a_broken_profile_file_is_named_with_its_place_and_left_alone",
        ),
    ),
    Shortcoming(
        "`profile add`",
        "no options for TLS",
        "those of `profile sync local`",
        (f"{_OWN}test_a_profile_with_tls_is_added_in_one_command",),
    ),
    Shortcoming(
        "`profile add`",
        "the default type is K8, so that `cluster` commands take the cluster for one on Kubernetes",
        "the same word in the file, for other tools; `cluster` commands know a local cluster by its address",
        (f"{_OWN}test_the_type_that_a_profile_was_added_with_misleads_nobody",),
    ),
    Shortcoming(
        "`profile add`",
        "no guided set-up",
        "not done, because one command does it; `profile edit` and `profile validate` help with the rest",
    ),
    # --- topic, partition, table-format -------------------------------------------------------------------
    Shortcoming(
        "`topic create`",
        "with too few SPUs it waits 60 s, ends in a time-out and leaves the topic behind",
        "says so after 3 s and removes the topic",
        (
            "e2e/test_topic_without_spus.py::test_a_topic_that_cannot_be_provisioned_is_refused_soon_and_not_kept",
        ),
    ),
    Shortcoming(
        "`topic create --config`",
        "unknown keys are ignored",
        "an error names them with their place",
        ("unit/cli/test_topic_files.py::test_what_is_wrong_is_named_with_its_place",),
    ),
    Shortcoming(
        "`topic describe`",
        "shows every topic whose name contains the one given",
        "a topic of that very name is shown alone",
        (f"{_OWN}test_a_topic_is_found_by_its_very_name_before_parts_of_names",),
    ),
    Shortcoming(
        "`topic describe`",
        "a missing topic exits 0",
        "exit 3",
        (f"{_CODES}test_each_sort_of_failure_has_its_exit_code",),
    ),
    Shortcoming(
        "`topic describe`",
        "shows neither partitions nor settings",
        "both on a terminal, with records and bytes; `-O json` has the settings anywhere",
        (f"{_OWN}test_a_person_sees_settings_and_partitions_of_a_topic",),
    ),
    Shortcoming(
        "`topic`",
        "retention and other settings cannot be changed",
        "not done, because the protocol has no request for it that official clusters know",
    ),
    Shortcoming(
        "`topic list`",
        "no count of records or bytes",
        "not done, because scripts cut its columns; `topic describe` and `partition list` have them",
    ),
    Shortcoming(
        "`topic add-partition`",
        "a refusal by the cluster becomes a time-out after 10 s",
        "it is told at once",
        (f"{_OWN}test_partitions_that_the_cluster_refuses_are_refused_at_once",),
    ),
    Shortcoming(
        "`partition list`",
        "columns are shifted against the header",
        "not done, because upstream's own tests pin the row; `--help` says so, `-O json` names every value",
    ),
    Shortcoming(
        "`partition list`",
        "cannot be narrowed to a topic",
        "`--topic`",
        (f"{_OWN}test_partitions_of_one_topic_are_listed",),
    ),
    # --- produce ------------------------------------------------------------------------------------------
    Shortcoming(
        "`produce`",
        "input ends, without a word, at the first line that is not UTF-8",
        "lines are bytes: all are stored as they are",
        (f"{_OWN}test_lines_behind_one_that_is_no_text_are_stored",),
    ),
    Shortcoming(
        "`produce --raw`",
        "a missing file stores an empty record, exit 0",
        "exit 1, nothing is stored",
        (f"{_OWN}test_a_file_that_is_missing_stores_nothing",),
    ),
    Shortcoming(
        "`produce --key-separator`",
        "lines without the separator are left out, exit 0",
        "they are named, the others are stored, exit 1",
        (f"{_OWN}test_lines_that_were_left_out_are_a_failure_and_the_others_are_stored",),
    ),
    Shortcoming(
        "`produce`",
        "nothing tells how many records went out",
        "a line on standard error, on a terminal or with `-v`",
        (
            f"{_COUNTS}test_a_terminal_is_told_how_many_records_were_stored",
            f"{_COUNTS}test_a_script_is_told_on_standard_error_when_it_asks",
        ),
    ),
    Shortcoming(
        "`produce`",
        "long input shows no progress",
        "on a terminal bytes done, of how many, and their rate; of a pipe and with `--raw` too",
        (
            f"{_COUNTS}test_a_file_shows_its_bytes_done_and_in_all",
            f"{_COUNTS}test_a_pipe_shows_its_bytes_so_far",
        ),
    ),
    Shortcoming(
        "`produce`",
        "Ctrl-C loses records that were read",
        "they are stored first, and it is told how many; a second Ctrl-C tells what was not acknowledged",
        (
            f"{_COUNTS}test_an_interrupt_sends_what_was_read_and_tells_how_many_that_were",
            f"{_COUNTS}test_an_interrupted_file_is_stored_as_far_as_is_told",
            f"{_COUNTS}test_a_second_interrupt_gives_up_and_tells_what_was_not_acknowledged",
            f"{_COUNTS}test_an_interrupt_sends_no_piece_of_a_whole_input",
        ),
    ),
    Shortcoming(
        "`produce`",
        "a record that is too large: the error shows one number twice",
        "it shows size and limit",
        (
            "integration/test_client_producer.py::"
            "test_a_record_that_is_too_large_is_refused_with_the_official_words",
        ),
    ),
    Shortcoming(
        "`produce`",
        "a record that is too large may take lines before it along",
        "those before it are stored, and a person is told which one it is",
        (f"{_COUNTS}test_what_comes_before_a_line_that_is_too_large_is_stored",),
    ),
    Shortcoming(
        "`produce`",
        "a record is refused as too large though it would fit into a batch of its own",
        "it gets one",
        (f"{_OWN}test_a_record_that_needs_a_batch_of_its_own_gets_one",),
    ),
    Shortcoming(
        "`produce`",
        "no headers, no timestamps",
        "not done, because official consumers drop headers, and the time of a record is that of its sending",
    ),
    Shortcoming(
        "`produce`",
        "no JSON lines as input",
        "`--ndjson` takes what `consume -O ndjson` prints",
        (
            f"{_OWN}test_json_lines_copy_records_with_keys_byte_for_byte",
            f"{_OWN}test_a_json_line_that_is_no_record_ends_it_and_those_before_are_stored",
        ),
    ),
    Shortcoming(
        "`produce`",
        "lines of a pipe go one by one, so that batches and `--linger` work against the user",
        "they fill batches",
        (f"{_OWN}test_a_pipe_fills_batches",),
    ),
    Shortcoming(
        "`produce`",
        "a partition that does not exist: tries for ever",
        "an error at once",
        (f"{_RECORDS}test_a_partition_or_topic_that_does_not_exist_ends_with_an_error_at_once",),
    ),
    Shortcoming(
        "`produce`",
        "a leader that is down: tries for ever",
        "an error after 60 s; until then it is shown that it waits",
        ("integration/test_client_producer.py::test_a_leader_that_stays_away_is_an_error_in_bounded_time",),
    ),
    # --- consume ------------------------------------------------------------------------------------------
    Shortcoming(
        "`consume -b`",
        "batches that are larger are skipped, or it never ends",
        "at least one whole batch is read at a time",
        (f"{_RECORDS}test_every_compression_comes_back_and_small_fetches_lose_nothing",),
    ),
    Shortcoming(
        "`consume --consumer`",
        "`-B` does not go back",
        "not done, because scripts give both for the first run; `consumer reset` and `--start 0` go back",
    ),
    Shortcoming(
        "`consume`",
        "no start by time",
        "`--since`, `--until`",
        (f"{_SELECT}test_times_choose_what_is_printed",),
    ),
    Shortcoming(
        "`consume`",
        "no limit of the number of records",
        "`--count`",
        (f"{_SELECT}test_a_count_ends_a_consumer_in_the_middle_of_a_batch",),
    ),
    Shortcoming(
        "`consume`",
        "no NDJSON",
        "`-O ndjson`, from which every record can be made again",
        (f"{_SELECT}test_ndjson_names_everything_of_a_record",),
    ),
    Shortcoming(
        "`consume -O raw`",
        "bytes that are no UTF-8 are replaced",
        "they come out as they went in",
        (f"{_OWN}test_lines_behind_one_that_is_no_text_are_stored",),
    ),
    Shortcoming(
        "`consume -O raw`",
        "adds a line end to each record",
        "not done, because without it records could not be told apart",
    ),
    Shortcoming(
        "`consume -O table`",
        "repeats the header for each record",
        "not done, because programs compare the blocks; `-O full-table` has one header",
    ),
    Shortcoming(
        "`consume -O full-table`",
        "a panic without a terminal",
        "the last state of each row is printed in the end",
        ("e2e/test_full_table.py::test_a_script_gets_the_last_state_of_each_key",),
    ),
    Shortcoming(
        "`consume -O full-table`",
        "Ctrl-C clears the rows instead of leaving",
        "it leaves",
        ("e2e/test_full_table.py::test_whatever_ends_it_leaves_the_terminal_as_it_was",),
    ),
    Shortcoming(
        "`consume`",
        "an offset above the end is never reported",
        "the SPU's refusal, exit 1; with `-d` exit 0 as officially, and a line on a terminal",
        (
            f"{_OWN}test_a_start_above_the_end_is_refused",
            f"{_RECORDS}test_a_start_behind_the_end_is_told_to_a_person_and_not_to_a_script",
        ),
    ),
    Shortcoming(
        "`consume`",
        "a lost cluster: silent attempts without an end, or exit 0 with `-d`",
        "a person is told and it goes on by itself; with `-d` an error",
        (
            f"{_RECORDS}test_a_person_learns_that_the_spu_was_lost_and_a_script_does_not",
            f"{_OWN}test_a_lost_spu_is_an_error_of_whoever_reads_to_the_end",
        ),
    ),
    # --- consumer, version, completions -------------------------------------------------------------------
    Shortcoming(
        "`consumer`",
        "no description, no lag",
        "`consumer describe`",
        ("e2e/test_consumer_commands.py::test_the_lag_grows_with_new_records_and_goes_with_reading",),
    ),
    Shortcoming(
        "`consumer`",
        "no reset",
        "`consumer reset --to start|end|OFFSET`",
        (
            "e2e/test_consumer_commands.py::test_a_consumer_that_was_moved_goes_on_there",
            "e2e/test_consumer_commands.py::"
            "test_an_offset_that_one_partition_has_not_changes_nothing_anywhere",
        ),
    ),
    Shortcoming(
        "`version`",
        "a notice of updates breaks `--json`",
        "there is none",
        (f"{_OWN}test_json_of_the_version_is_json_whatever_is_asked_about_updates",),
    ),
    Shortcoming(
        "`version`",
        "hangs as long as a cluster that does not answer",
        "asks for 3 s at most",
        ("integration/test_platform_probe.py::test_a_peer_that_gives_no_version_is_given_up_in_time",),
    ),
    Shortcoming(
        "`completions`",
        "no names of topics and profiles",
        "those, and consumers, SPUs and clusters",
        ("e2e/test_completions.py::test_tab_completes_commands_options_values_and_names",),
    ),
    Shortcoming(
        "`completions`",
        "options of the root are missing",
        "all options are offered",
        ("unit/completions/test_engine.py::test_what_fits_is_offered",),
    ),
)
