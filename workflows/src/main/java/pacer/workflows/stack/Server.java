package pacer.workflows.stack;

import java.util.List;
import java.util.Locale;

/** What the local stack is made of, in the order in which it starts. */
enum Server {
    S3,
    TEMPORAL,
    MLFLOW,
    PROMETHEUS,
    GRAFANA,
    CODEC,
    WORKER;

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Its executable among the installed tools; null for what is not installed with them. */
    String program() {
        return switch (this) {
            case S3 -> "versitygw";
            case TEMPORAL -> "temporal";
            case MLFLOW -> "mlflow";
            case PROMETHEUS -> "prometheus";
            case GRAFANA, CODEC, WORKER -> null;
        };
    }

    /** What it listens on. */
    List<Port> ports() {
        return switch (this) {
            case S3 -> List.of(Port.S3);
            case TEMPORAL -> List.of(Port.TEMPORAL, Port.TEMPORAL_UI, Port.TEMPORAL_METRICS);
            case MLFLOW -> List.of(Port.MLFLOW);
            case PROMETHEUS -> List.of(Port.PROMETHEUS);
            case GRAFANA -> List.of(Port.GRAFANA);
            case CODEC -> List.of(Port.CODEC);
            case WORKER -> List.of(Port.METRICS);
        };
    }
}
