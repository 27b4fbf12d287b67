// {{ api.name | remark }} {{ api.version | remark }}, stage {{ api.stage | remark }}. Generated; do not edit.

#import "{{ service }}Client.h"
{% macro made(of, value) %}
{%- if of.is == "model" %}[{{ prefix }}{{ of.name }} of:{{ value }}]{% elif of.is == "list" and of.of.is == "model" %}{{ prefix }}List({{ value }}, [{{ prefix }}{{ of.of.name }} class]){% else %}{{ value }}{% endif %}
{%- endmacro %}

/// Models as JSON has them.
static id {{ prefix }}Plain(id value) {
    if ([value respondsToSelector:@selector(json)]) {
        return [value performSelector:@selector(json)];
    }
    if ([value isKindOfClass:[NSArray class]]) {
        NSMutableArray *items = [NSMutableArray new];
        for (id item in value) {
            [items addObject:{{ prefix }}Plain(item)];
        }
        return items;
    }
    return value;
}

static id {{ prefix }}List(id value, Class model) __attribute__((unused));
static id {{ prefix }}List(id value, Class model) {
    if (![value isKindOfClass:[NSArray class]]) {
        return nil;
    }
    NSMutableArray *items = [NSMutableArray new];
    for (id item in value) {
        id read = [model performSelector:@selector(of:) withObject:item];
        [items addObject:read != nil ? read : [NSNull null]];
    }
    return items;
}
{% for class in classes %}

@implementation {{ prefix }}{{ class.name }}
+ (instancetype)of:(id)json {
    if (![json isKindOfClass:[NSDictionary class]]) {
        return nil;
    }
    {{ prefix }}{{ class.name }} *read = [{{ prefix }}{{ class.name }} new];
{% for field in class.fields %}
    read.{{ field.camel | member }} = {{ made(field.type, "json[@" ~ (field.wire | quoted) ~ "]") }};
{% endfor %}
    return read;
}

- (NSDictionary<NSString *, id> *)json {
    NSMutableDictionary<NSString *, id> *fields = [NSMutableDictionary new];
{% for field in class.fields %}
    if (self.{{ field.camel | member }} != nil) {
        fields[@{{ field.wire | quoted }}] = {{ prefix }}Plain(self.{{ field.camel | member }});
    }
{% endfor %}
    return fields;
}
@end
{% endfor %}

@implementation {{ service }}Client {
    {{ prefix }}Transport *_transport;
}

- (instancetype)initWithConfiguration:({{ prefix }}Configuration *)configuration {
    if ((self = [super init])) {
        _transport = [[{{ prefix }}Transport alloc] initWithConfiguration:configuration];
    }
    return self;
}
{% for method in methods %}

- (void){{ method.camel }}{% for one in method.parameters %}{% if loop.first %}With{{ one.camel | member | capitalize_first }}{% else %} {{ one.camel | member }}{% endif %}:(NSString *){{ one.camel | member }}{% endfor %}{% if method.body is not none %}{% if method.parameters %} body{% else %}WithBody{% endif %}:(id)body{% endif %}{% if method.parameters or method.body is not none %} completion{% else %}WithCompletion{% endif %}:({{ prefix }}Completion)completion {
    {{ prefix }}Request *request = [[{{ prefix }}Request alloc] initWithVerb:@{{ method.verb | quoted }}
                                                        isSigned:{{ "YES" if method.signed else "NO" }}
                                                    isIdempotent:{{ "YES" if method.idempotent else "NO" }}];
{% for piece in method.pieces %}
    [request.path appendString:@{{ piece.text | quoted }}];
{% if piece.variable is not none %}
    [request appendVariable:{{ method.parameters[piece.variable].camel | member }} greedy:{{ "YES" if piece.greedy else "NO" }}];
{% endif %}
{% endfor %}
{% for one in method.parameters if one.place != "path" %}
    [request {{ one.place }}:@{{ one.wire | quoted }} value:{{ one.camel | member }}];
{% endfor %}
{% if method.body is not none %}
    request.body = {{ prefix }}Plain(body);
{% endif %}
    [_transport send:request
          completion:^({{ prefix }}Answer *answer, NSError *error) {
            answer.data = {{ made(method.result, "answer.data") }};
            completion(answer, error);
          }];
}
{% endfor %}
@end
