package pacer.activities.run;

import com.fasterxml.jackson.annotation.JsonIgnore;

/** What a stage hands on: small, references rather than data. */
public interface StageResult {

    /** One line for people; worked out, not stored. */
    @JsonIgnore
    String summary();

    /** Whether everything was there already. */
    default boolean reused() {
        return false;
    }
}
