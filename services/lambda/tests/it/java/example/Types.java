package example;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Beans, records and values that go in and come out again. */
public class Types {
    public enum Colour { RED, GREEN }

    public record Point(int x, double y, Optional<String> name) {}

    public record Box<T>(T inside, List<T> more) {}

    /** As the classes of AWS's events are written. */
    public static class Batch {
        private List<Item> records;
        private String awsURL;
        private boolean done;
        private transient int hidden = 3;
        public String open;

        public List<Item> getRecords() {
            return records;
        }

        public void setRecords(List<Item> records) {
            this.records = records;
        }

        public String getAWSUrl() {
            return awsURL;
        }

        public Batch setAWSUrl(String url) {
            awsURL = url;
            return this;
        }

        public boolean isDone() {
            return done;
        }

        public void setDone(boolean done) {
            this.done = done;
        }

        public String getDerived() {
            return "d";
        }
    }

    /** Without a constructor for anybody, and without setters. */
    public static class Item {
        private final String eventSourceArn;
        private final Date at;

        public Item(String arn, Date at) {
            eventSourceArn = arn;
            this.at = at;
        }

        public String getEventSourceArn() {
            return eventSourceArn;
        }

        public Date getAt() {
            return at;
        }
    }

    public static class Values {
        public byte b;
        public short s;
        public long l;
        public Float f;
        public char c;
        public Boolean t;
        public BigDecimal big;
        public BigInteger huge;
        public Colour colour;
        public byte[] bytes;
        public int[][] grid;
        public String[] words;
        public Set<Colour> set;
        public Map<Colour, Map<Integer, String>> map;
        public Instant instant;
        public LocalDate date;
        public Duration duration;
        public UUID uuid;
        public URI uri;
        public Object any;
    }

    public Point point(Point event) {
        return event;
    }

    public Box<Point> box(Box<Point> event) {
        return new Box<>(new Point(event.inside().x() + 1, 0, Optional.empty()), List.of(event.more().get(0)));
    }

    public Batch batch(Batch event) {
        return event;
    }

    public Values values(Values event) {
        return event;
    }

    public Object natural(Object event) {
        return event;
    }

    public String kinds(Map<String, Object> event) {
        StringBuilder kinds = new StringBuilder();
        event.forEach((name, value) -> kinds.append(value.getClass().getSimpleName()).append(' '));
        return kinds.toString();
    }
}
