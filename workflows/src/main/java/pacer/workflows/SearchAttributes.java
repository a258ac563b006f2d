package pacer.workflows;

import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.common.SearchAttributeKey;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** By what runs are found in the Temporal UI. A service knows them once they are registered in the namespace. */
public final class SearchAttributes {
    static final SearchAttributeKey<String> PRESET = SearchAttributeKey.forKeyword("PacerPreset");
    static final SearchAttributeKey<String> STAGE = SearchAttributeKey.forKeyword("PacerStage");
    static final SearchAttributeKey<Long> STEP = SearchAttributeKey.forLong("PacerStep");
    static final SearchAttributeKey<Double> VALIDATION_LOSS = SearchAttributeKey.forDouble("PacerValidationLoss");
    static final SearchAttributeKey<String> COMMIT = SearchAttributeKey.forKeyword("PacerCommit");
    static final SearchAttributeKey<String> VERDICT = SearchAttributeKey.forKeyword("PacerVerdict");

    static final List<SearchAttributeKey<?>> ALL = List.of(PRESET, STAGE, STEP, VALIDATION_LOSS, COMMIT, VERDICT);

    private SearchAttributes() {}

    /** Names and types, as the service's own tools spell them. */
    public static Map<String, String> types() {
        Map<String, String> types = new LinkedHashMap<>();
        for (SearchAttributeKey<?> key : ALL) {
            types.put(key.getName(), spelled(key.getValueType()));
        }
        return types;
    }

    /** As the service's own tools spell it. */
    static String spelled(IndexedValueType type) {
        return switch (type) {
            case INDEXED_VALUE_TYPE_KEYWORD -> "Keyword";
            case INDEXED_VALUE_TYPE_KEYWORD_LIST -> "KeywordList";
            case INDEXED_VALUE_TYPE_TEXT -> "Text";
            case INDEXED_VALUE_TYPE_INT -> "Int";
            case INDEXED_VALUE_TYPE_DOUBLE -> "Double";
            case INDEXED_VALUE_TYPE_BOOL -> "Bool";
            case INDEXED_VALUE_TYPE_DATETIME -> "Datetime";
            default -> type.name();
        };
    }
}
