package pacer.workflows.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * Takes signals before the JVM does. {@code sun.misc.Signal} is the one way there is, and naming it makes the compiler warn in a
 * manner that nothing silences; so it is reached by reflection.
 */
final class Signals {
    private Signals() {}

    /** Gives a signal back to whoever had it before. */
    @FunctionalInterface
    interface Taken extends AutoCloseable {
        @Override
        void close();
    }

    /** Runs {@code action} at each signal {@code name} (INT, TERM …), where this JVM and system have such a signal. */
    static Taken on(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            InvocationHandler calls = (proxy, method, arguments) -> switch (method.getName()) {
                case "handle" -> {
                    action.run();
                    yield null;
                }
                case "hashCode" -> System.identityHashCode(proxy);
                case "equals" -> proxy == arguments[0];
                default -> "handler of " + name;
            };
            Object proxy = Proxy.newProxyInstance(Signals.class.getClassLoader(), new Class<?>[] {handler}, calls);
            Method handle = signal.getMethod("handle", signal, handler);
            Object taken = signal.getConstructor(String.class).newInstance(name);
            Object before = handle.invoke(null, taken, proxy);
            return () -> giveBack(handle, taken, before);
        } catch (ReflectiveOperationException e) {
            return () -> {};
        }
    }

    private static void giveBack(Method handle, Object signal, Object before) {
        try {
            handle.invoke(null, signal, before);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a signal that was taken can be given back", e);
        }
    }
}
