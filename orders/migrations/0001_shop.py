
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('name', models.CharField(help_text='As the agent may say it: “Thanksgiving”, “stocktaking”.', max_length=80)),
            ],
            options={
                'ordering': ['first_day'],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='a_closure_ends_after_it_begins', violation_error_message='The last day must not be before the first.')],
            },
        ),
        migrations.CreateModel(
            name='Customer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('phone', models.CharField(blank=True, max_length=16, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]{6,14}$', 'Write the number in full, like +14155550142.')])),
                ('address', models.CharField(blank=True, max_length=200)),
                ('postcode', models.CharField(blank=True, max_length=12)),
                ('since', models.DateTimeField(auto_now_add=True, verbose_name='customer since')),
            ],
            options={
                'ordering': ['name'],
                'indexes': [models.Index(fields=['phone'], name='orders_cust_phone_2eb021_idx')],
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='one_customer_per_email', violation_error_message='A customer with this e-mail exists.'), models.CheckConstraint(condition=models.Q(('phone', ''), ('phone__regex', '^\\+[1-9][0-9]{6,14}$'), _connector='OR'), name='customer_phone_is_e164', violation_error_message='Write the number in full, like +14155550142.')],
            },
        ),
        migrations.CreateModel(
            name='HelpArticle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=120, unique=True)),
                ('topic', models.CharField(choices=[('orders', 'Orders'), ('shipping', 'Shipping'), ('returns', 'Returns'), ('payment', 'Payment'), ('sizes', 'Sizes'), ('products', 'Products'), ('shop', 'Shop')], max_length=10)),
                ('body', models.TextField(help_text='As the agent may say it: short sentences, no links, no lists.', max_length=1200)),
                ('keywords', models.CharField(blank=True, help_text='Other words callers use for it, separated by spaces.', max_length=300)),
                ('published', models.BooleanField(default=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.CombinedSearchVector(django.contrib.postgres.search.SearchVector('title', config='english', weight='A'), '||', django.contrib.postgres.search.SearchVector('keywords', config='english', weight='A'), django.contrib.postgres.search.SearchConfig('english')), '||', django.contrib.postgres.search.SearchVector('body', config='english', weight='C'), django.contrib.postgres.search.SearchConfig('english')), output_field=django.contrib.postgres.search.SearchVectorField())),
            ],
            options={
                'ordering': ['topic', 'title'],
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['search'], name='help_articles_search')],
            },
        ),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')])),
                ('opens', models.TimeField()),
                ('closes', models.TimeField()),
                ('lanes', models.PositiveSmallIntegerField(default=1, help_text='How many appointments can be kept at the same time; 0 for none.', validators=[django.core.validators.MinValueValidator(0)], verbose_name='appointments at once')),
            ],
            options={
                'verbose_name_plural': 'opening hours',
                'ordering': ['weekday', 'opens'],
                'constraints': [models.CheckConstraint(condition=models.Q(('closes__gt', models.F('opens'))), name='hours_close_after_they_open'), models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='hours_are_of_a_weekday'), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func('weekday', 'weekday', models.Value('[]'), function='INT4RANGE', output_field=django.contrib.postgres.fields.ranges.IntegerRangeField()), '&&'), (models.Func(django.db.models.functions.datetime.Extract('opens', 'epoch'), django.db.models.functions.datetime.Extract('closes', 'epoch'), function='NUMRANGE', output_field=django.contrib.postgres.fields.ranges.DecimalRangeField()), '&&')], name='hours_of_a_day_do_not_overlap', violation_error_message='These hours overlap others of the same day.')],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=12, unique=True, validators=[django.core.validators.RegexValidator('^ORD-[0-9]{4,8}$', 'An order number looks like ORD-12345.')])),
                ('status', models.CharField(choices=[('placed', 'Placed'), ('packed', 'Packed'), ('shipped', 'Shipped'), ('delivered', 'Delivered'), ('cancelled', 'Cancelled'), ('returned', 'Returned')], default='placed', max_length=10)),
                ('placed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('estimated_delivery', models.DateField(blank=True, null=True)),
                ('carrier', models.CharField(blank=True, help_text='Who delivers it.', max_length=40)),
                ('tracking_number', models.CharField(blank=True, max_length=40)),
                ('shipped_at', models.DateTimeField(blank=True, null=True)),
                ('delivered_at', models.DateTimeField(blank=True, null=True)),
                ('returned_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_at', models.DateTimeField(blank=True, null=True)),
                ('cancelled_by', models.CharField(blank=True, max_length=80)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='orders.customer')),
            ],
            options={
                'ordering': ['-placed_at'],
            },
        ),
        migrations.CreateModel(
            name='OrderItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('quantity', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1)])),
                ('price', models.DecimalField(decimal_places=2, max_digits=8, validators=[django.core.validators.MinValueValidator(0)], verbose_name='price each')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='orders.order')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Proof',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('call_sid', models.CharField(max_length=64, unique=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('claims', models.JSONField(default=list)),
                ('cancellation_asked_at', models.DateTimeField(null=True)),
                ('begun_at', models.DateTimeField(auto_now_add=True)),
                ('cancellation_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                ('customer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.customer')),
            ],
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone', models.CharField(max_length=16, validators=[django.core.validators.RegexValidator('^\\+[1-9][0-9]{6,14}$', 'Write the number in full, like +14155550142.')])),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('lane', models.PositiveSmallIntegerField(default=1, help_text='Which of the people who keep appointments.', validators=[django.core.validators.MinValueValidator(1)])),
                ('status', models.CharField(choices=[('booked', 'Booked'), ('cancelled', 'Cancelled'), ('done', 'Done')], default='booked', max_length=10)),
                ('about', models.CharField(blank=True, max_length=200)),
                ('note', models.TextField(blank=True, help_text='For staff only.')),
                ('call_sid', models.CharField(blank=True, max_length=64, verbose_name='booked in call')),
                ('booked_at', models.DateTimeField(auto_now_add=True)),
                ('customer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to='orders.customer')),
            ],
            options={
                'ordering': ['starts_at', 'lane'],
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status', 'booked')), expressions=[(models.Func('starts_at', 'ends_at', function='TSTZRANGE', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), (models.Func('lane', 'lane', models.Value('[]'), function='INT4RANGE', output_field=django.contrib.postgres.fields.ranges.IntegerRangeField()), '&&')], name='appointments_do_not_overlap', violation_error_message='This time is taken. Choose another time or another lane.'), models.UniqueConstraint(condition=models.Q(('status', 'booked'), models.Q(('call_sid', ''), _negated=True)), fields=('call_sid', 'starts_at', 'phone'), name='a_call_books_a_time_once'), models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='an_appointment_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('lane__gte', 1)), name='lanes_count_from_one'), models.CheckConstraint(condition=models.Q(('phone__regex', '^\\+[1-9][0-9]{6,14}$')), name='appointment_phone_is_e164')],
            },
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['-placed_at'], name='orders_orde_placed__c426b5_idx'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['status', '-placed_at'], name='orders_orde_status_ab153f_idx'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('number__regex', '^ORD-[0-9]{4,8}$')), name='order_number_is_ord_digits'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_at__isnull', False), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancelled_at__isnull', True), ('cancelled_by', '')), _connector='OR'), name='a_cancelled_order_says_when'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('shipped_at__isnull', False), ('status__in', ['shipped', 'delivered', 'returned'])), models.Q(('shipped_at__isnull', True), ('status__in', ['placed', 'packed', 'cancelled'])), _connector='OR'), name='a_shipped_order_says_when'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('delivered_at__isnull', False), ('status__in', ['delivered', 'returned'])), models.Q(('delivered_at__isnull', True), ('status__in', ['placed', 'packed', 'cancelled', 'shipped'])), _connector='OR'), name='a_delivered_order_says_when'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('returned_at__isnull', False), ('status', 'returned')), models.Q(models.Q(('status', 'returned'), _negated=True), ('returned_at__isnull', True)), _connector='OR'), name='a_returned_order_says_when'),
        ),
        migrations.AddConstraint(
            model_name='orderitem',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0), ('quantity__gte', 1)), name='an_item_is_something_and_costs_something'),
        ),
        migrations.AddConstraint(
            model_name='proof',
            constraint=models.CheckConstraint(condition=models.Q(('call_sid', ''), _negated=True), name='a_proof_belongs_to_a_call'),
        ),
    ]
